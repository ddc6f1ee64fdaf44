import CNftables
