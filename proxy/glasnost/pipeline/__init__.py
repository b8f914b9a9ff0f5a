"""The path of one request, from a parsed request to an answer that was judged.

Read in this order: `ladder` (which models are asked, and how), `run` (what is known while it goes on),
`complete` (unary), `stream` (streamed), `pipeline` (the door that the server uses).
"""
