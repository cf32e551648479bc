"""The TeX commands and environments that a formula may hold when a person marks it.

They are those of mathematics: symbols, functions, accents, alphabets, sizes and spaces. Commands
that make links, set attributes, load or define something, or draw over their neighbours are not
among them.
"""

from __future__ import annotations

GREEK = """
alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa varkappa lambda mu nu
xi omicron pi varpi rho varrho sigma varsigma tau upsilon phi varphi chi psi omega digamma
Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega
"""
FUNCTIONS = """
arccos arcsin arctan arg argmax argmin bmod cos cosh cot coth csc deg det dim exp gcd hom inf ker lg
lim liminf limsup ln log max min mod pmod pod Pr sec sin sinh sup tan tanh operatorname varinjlim
varlimsup varliminf varprojlim injlim projlim
"""
LARGE = """
sum prod coprod int iint iiint iiiint oint bigcap bigcup bigsqcup bigvee bigwedge bigodot bigoplus
bigotimes biguplus limits nolimits displaylimits intop smallint
"""
OPERATORS = """
amalg ast bigcirc bigtriangledown bigtriangleup bullet cap cdot centerdot circ circledast
circledcirc circleddash cup dagger ddagger diamond div divideontimes dotplus intercal lhd ltimes mp
odot ominus oplus oslash otimes pm rhd rtimes setminus smallsetminus sqcap sqcup star times
triangleleft triangleright uplus vee wedge wr land lor lnot neg boxplus boxminus boxtimes boxdot
"""
RELATIONS = """
approx approxeq asymp backsim bowtie cong coloneqq eqqcolon dashv doteq doteqdot equiv eqsim frown
ge geq geqq geqslant gg ggg gt gtrsim gtrless in ni le leq leqq leqslant ll lll lt lesssim lessgtr
mid ne neq nmid notin notni not owns parallel nparallel perp prec preceq propto varpropto sim simeq
smile sqsubset sqsubseteq sqsupset sqsupseteq subset subseteq subseteqq subsetneq supset supseteq
supsetneq nsubseteq nsupseteq succ succeq thicksim thickapprox triangleq vdash Vdash vDash models
ngeq nleq ngtr nless nsim ncong because therefore between pitchfork
"""
ARROWS = """
to gets mapsto longmapsto leftarrow rightarrow leftrightarrow Leftarrow Rightarrow Leftrightarrow
longleftarrow longrightarrow longleftrightarrow Longleftarrow Longrightarrow Longleftrightarrow
uparrow downarrow updownarrow Uparrow Downarrow Updownarrow nearrow searrow swarrow nwarrow
hookleftarrow hookrightarrow leftharpoonup leftharpoondown rightharpoonup rightharpoondown
rightleftharpoons leftrightharpoons iff implies impliedby leadsto rightsquigarrow xleftarrow
xrightarrow nrightarrow nleftarrow nRightarrow nLeftarrow twoheadrightarrow leftleftarrows
rightrightarrows circlearrowleft circlearrowright curvearrowleft curvearrowright
"""
SYMBOLS = """
aleph beth gimel daleth angle measuredangle backslash bot top Box square blacksquare clubsuit
complement diamondsuit ell emptyset varnothing exists nexists flat forall hbar hslash heartsuit Im
Re imath jmath infty mho nabla natural partial prime backprime sharp spadesuit surd triangle
blacktriangle wp checkmark maltese degree S P copyright pounds yen dots cdots ddots ldots vdots
dotsb dotsc dotsi dotsm dotso colon Bbbk eth lozenge bigstar
"""
DELIMITERS = """
langle rangle lbrace rbrace lbrack rbrack lceil rceil lfloor rfloor lgroup rgroup lmoustache
rmoustache lvert rvert lVert rVert vert Vert llcorner lrcorner ulcorner urcorner left right middle
big Big bigg Bigg bigl bigr bigm Bigl Bigr Bigm biggl biggr biggm Biggl Biggr Biggm
"""
ACCENTS = """
acute bar breve check ddot dddot dot grave hat mathring tilde vec widehat widetilde overline
underline overbrace underbrace overrightarrow overleftarrow overleftrightarrow underrightarrow
underleftarrow
"""
STRUCTURE = """
frac dfrac tfrac cfrac binom dbinom tbinom over choose atop sqrt root of stackrel overset underset
substack sideset boxed tag notag nonumber hline hdashline hfill intertext shoveleft shoveright
genfrac phantom hphantom vphantom pmb boldsymbol bm cancel mathbin mathrel mathord mathop mathopen
mathclose mathpunct mathinner newline cr
"""
ALPHABETS = """
mathbb mathbf mathcal mathfrak mathit mathnormal mathrm mathscr mathsf mathtt rm bf it cal tt sf
scr frak text textbf textit textnormal textrm textsf texttt textup mbox hbox emph color textcolor
"""
SPACES = """
quad qquad enspace thinspace medspace thickspace negthinspace negmedspace negthickspace space
nobreakspace hspace displaystyle textstyle scriptstyle scriptscriptstyle tiny scriptsize small
normalsize large Large LARGE allowbreak
"""

KNOWN = frozenset(
    " ".join(
        (
            GREEK,
            FUNCTIONS,
            LARGE,
            OPERATORS,
            RELATIONS,
            ARROWS,
            SYMBOLS,
            DELIMITERS,
            ACCENTS,
            STRUCTURE,
            ALPHABETS,
            SPACES,
        )
    ).split()
)
_PLAIN = """
aligned alignedat array Bmatrix bmatrix cases gathered matrix pmatrix rcases smallmatrix split
subarray Vmatrix vmatrix
"""
_DISPLAYED = "align alignat displaymath eqnarray equation flalign gather math multline"
ENVIRONMENTS = frozenset(
    [*_PLAIN.split(), *_DISPLAYED.split(), *(f"{name}*" for name in _DISPLAYED.split())]
)
