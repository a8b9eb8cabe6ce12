"""Official archives to the Parquet files that `load` reads, one archive a file."""
