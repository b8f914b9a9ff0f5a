"""Second opinions on a verdict: the semantic tier and the judge, and who of them is asked when."""
