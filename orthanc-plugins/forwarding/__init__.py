"""Studies go on to other archives: by rule or by hand, each once, each proven at the other end."""
