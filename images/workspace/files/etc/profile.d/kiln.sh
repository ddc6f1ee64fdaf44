# A login shell of a workspace.
export LANG="${LANG:-C.UTF-8}"
export PATH="$HOME/.local/bin:$PATH"
export EDITOR="${EDITOR:-vim}"
