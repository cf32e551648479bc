"""From what an instructor says about a cluster to a pool of nodes that may grade."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from autograder import course as courses
from autograder.course import Course
from autograder.grading.cluster.admission import parts_here
from autograder.grading.cluster.link import open_link
from autograder.grading.cluster.pool import ClusterPool
from autograder.grading.cluster.setting import ClusterSetting, cluster_setting
from autograder.grading.setting import Setting


def nodes_of(root: Path, scheduler: str | None, insecure: bool) -> ClusterSetting | None:
    """Return the cluster of --scheduler, or of grading.toml; None if there is none.

    Raises CourseError or ClusterError, see cluster_setting.
    """
    return cluster_setting(courses.load(root), root, scheduler, insecure)


@contextmanager
def open_nodes(
    course: Course, setting: Setting, cluster: ClusterSetting, say: Callable[[str], None]
) -> Iterator[ClusterPool]:
    """Connect, and wait for the first nodes that may grade. Raises ClusterError if none may."""
    where = cluster.scheduler or f"{cluster.nodes} node(s) from {cluster.kind}"
    say(f"Grading on a cluster: {where}.")
    link = open_link(cluster)
    with ClusterPool(link, setting, cluster, parts_here(course, setting), say) as pool:
        yield pool
