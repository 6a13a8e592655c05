"""A whole class: collect its submissions, grade each once, and give the results to those who need them."""
