"""The report on one student, and its formats for programs; part of the students' tree."""
