"""What ships send over AIS, and what receivers hear and write down."""
