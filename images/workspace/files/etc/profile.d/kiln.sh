# A login shell of a workspace.
export LANG="${LANG:-C.UTF-8}"

# Debian leaves the system folders to root; here ip, sshd and their like are everyday tools.
PATH="$HOME/.local/bin:$PATH:/usr/local/sbin:/usr/sbin:/sbin"
export PATH

export EDITOR="${EDITOR:-vim}"
