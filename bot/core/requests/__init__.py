"""The life of a request: accept it, process it, save its result, and recover it after a crash."""
