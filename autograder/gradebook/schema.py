"""The gradebook's tables, and the upgrades from earlier formats."""

SCHEMA_VERSION = 9
APPLICATION_ID = 0x4E4E4642

FLAGS = """CREATE TABLE flags (
        job TEXT NOT NULL REFERENCES jobs, position INTEGER NOT NULL, rule TEXT NOT NULL, item TEXT,
        place TEXT NOT NULL, evidence TEXT NOT NULL,
        PRIMARY KEY (job, position)) WITHOUT ROWID"""

DEPENDENCIES = """CREATE TABLE dependencies (
        digest TEXT PRIMARY KEY, parts TEXT NOT NULL) WITHOUT ROWID"""

HEARTBEATS = """CREATE TABLE heartbeats (
        run INTEGER PRIMARY KEY REFERENCES runs, pid INTEGER NOT NULL, host TEXT NOT NULL,
        at_once INTEGER NOT NULL, heard TEXT NOT NULL, running TEXT NOT NULL)"""

SCHEMA = (
    """CREATE TABLE runs (
        id INTEGER PRIMARY KEY, started TEXT NOT NULL, finished TEXT, confinement TEXT NOT NULL,
        data TEXT NOT NULL, salt_digest TEXT NOT NULL, versions TEXT NOT NULL)""",
    """CREATE TABLE submissions (
        id INTEGER PRIMARY KEY, run INTEGER NOT NULL REFERENCES runs, student TEXT NOT NULL,
        week INTEGER NOT NULL, fingerprint TEXT NOT NULL, notices TEXT NOT NULL, refusal TEXT,
        documents TEXT NOT NULL DEFAULT '{}', received TEXT, commit_hash TEXT,
        UNIQUE (run, student, week))""",
    "CREATE INDEX submissions_by_student ON submissions (student, week)",
    """CREATE TABLE jobs (
        key TEXT PRIMARY KEY, run INTEGER NOT NULL REFERENCES runs, student TEXT NOT NULL,
        week INTEGER NOT NULL, fingerprint TEXT NOT NULL, confinement TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('planned', 'finished')), seconds REAL NOT NULL,
        turn INTEGER NOT NULL, part TEXT NOT NULL DEFAULT 'suite',
        dependencies TEXT)""",
    "CREATE INDEX jobs_by_student ON jobs (student, week)",
    """CREATE TABLE planned (
        job TEXT NOT NULL REFERENCES jobs, position INTEGER NOT NULL, id TEXT NOT NULL,
        item TEXT NOT NULL, title TEXT NOT NULL, weight INTEGER NOT NULL,
        PRIMARY KEY (job, id)) WITHOUT ROWID""",
    """CREATE TABLE results (
        job TEXT NOT NULL, id TEXT NOT NULL, verdict TEXT NOT NULL, credit INTEGER NOT NULL,
        message TEXT NOT NULL, seconds REAL NOT NULL, misconception TEXT, advice TEXT,
        detail TEXT NOT NULL,
        PRIMARY KEY (job, id), FOREIGN KEY (job, id) REFERENCES planned (job, id))""",
    """CREATE TABLE marks (
        student TEXT NOT NULL, item TEXT NOT NULL, points INTEGER NOT NULL, comment TEXT NOT NULL,
        PRIMARY KEY (student, item))""",
    FLAGS,
    DEPENDENCIES,
    HEARTBEATS,
    f"PRAGMA application_id = {APPLICATION_ID}",
    f"PRAGMA user_version = {SCHEMA_VERSION}",
)

UPGRADES = {
    1: "ALTER TABLE submissions ADD COLUMN documents TEXT NOT NULL DEFAULT '{}'",
    2: "ALTER TABLE jobs ADD COLUMN part TEXT NOT NULL DEFAULT 'suite'",
    3: FLAGS,
    4: "ALTER TABLE submissions ADD COLUMN received TEXT",
    5: "ALTER TABLE submissions ADD COLUMN commit_hash TEXT",
    6: DEPENDENCIES,
    7: "ALTER TABLE jobs ADD COLUMN dependencies TEXT",
    8: HEARTBEATS,
}
"""The statement that upgrades each earlier format to the next one."""
