"""What is said of one student, and its forms for programs; students have them too."""
