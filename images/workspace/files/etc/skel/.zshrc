HISTFILE=~/.zsh_history
HISTSIZE=10000
SAVEHIST=10000
setopt append_history hist_ignore_dups hist_ignore_space

autoload -Uz compinit && compinit
bindkey -e
PROMPT='%n@%m:%~%# '

alias ls='ls --color=auto'
alias grep='grep --color=auto'
