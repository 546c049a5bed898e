"""The folder of Parquet files that AIS is imported into, each source once."""
