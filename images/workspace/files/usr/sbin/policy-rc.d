#!/bin/sh
# A workspace has no service manager: an installed daemon waits for `sudo service NAME start` (101: action forbidden by policy).
exit 101
