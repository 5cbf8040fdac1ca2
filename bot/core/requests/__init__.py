"""The life of a request: accept it, process it, record its result, recover it after a crash."""
