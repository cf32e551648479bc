"""Students' repositories on a hosting site: fetched, graded elsewhere, and told how it went.

`roster_file` says whose repository is where, `fetch` brings what was pushed into a folder that
`autograder grade` takes, `report` posts commit statuses and pushes feedback, `state` is what is
remembered between two runs. Nothing of a repository is checked out or run here.
"""
