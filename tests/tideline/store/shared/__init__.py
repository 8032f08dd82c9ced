"""The stores that machines share, and what is built on them."""
