# The same login environment as bash.
emulate sh -c '. /etc/profile'
