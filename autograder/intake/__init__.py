"""What students handed in, read within limits: class folders and archives, LMS exports, weeks."""
