"""What runs inside a sandbox, beside the student's code; mounted there together with wire/."""
