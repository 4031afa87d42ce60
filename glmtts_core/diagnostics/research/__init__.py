"""Public claims about memory, blind listening, the leak hunt and DNSMOS."""
