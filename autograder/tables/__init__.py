"""Tables in CSV files, as spreadsheets and other systems write them."""
