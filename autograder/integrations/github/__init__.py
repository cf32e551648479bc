"""Students' repositories on GitHub: fetching submissions and reporting results.

`roster_file` reads the list of repositories, `fetch` writes their newest commits into a folder of
submissions for `autograder grade`, `report` posts commit statuses and pushes feedback, `state` is
kept between two runs. Nothing of a repository is checked out or run here.
"""
