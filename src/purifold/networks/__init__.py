"""Networks: layers only, each for one image shape; found by name. No losses."""
