# Completion for boshctl: commands, ids of the sessions there are, files. For /usr/share/bash-completion/completions.

# The first words are `boshctl` and its options; what matters is behind them.
_boshctl_offer() {
  local word
  COMPREPLY=()
  for word in $1; do
    [[ $word == "$2"* ]] && COMPREPLY+=("$word")
  done
}

_boshctl_files() {
  compopt -o filenames 2> /dev/null
  mapfile -t COMPREPLY < <(compgen -f -- "$1")
}

# Ids, from the daemon that is meant. It is asked for no longer than a second; nobody waits at a key.
_boshctl_sessions() {
  timeout 1 "$1" "${@:2}" -j show sessions 2> /dev/null |
    sed -n 's/^{"id":"\([^"…]*\).*/\1/p'
}

_boshctl() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  local socket=() words=() i
  for ((i = 1; i < COMP_CWORD; ++i)); do
    case ${COMP_WORDS[i]} in
      -s | --socket) socket=(-s "${COMP_WORDS[++i]}") ;;
      -j | --json) ;;
      *) words+=("${COMP_WORDS[i]}") ;;
    esac
  done
  case $previous in
    -s | --socket | --config)
      _boshctl_files "$current"
      return
      ;;
  esac
  case "${words[*]}" in
    '')
      _boshctl_offer '-s -j --help --version show status top trace kill drain resume reload log check' "$current"
      ;;
    show) _boshctl_offer 'info sessions session upstreams limits tls errors' "$current" ;;
    log) _boshctl_offer 'level' "$current" ;;
    'log level') _boshctl_offer 'debug info warning error' "$current" ;;
    'show session' | kill | trace)
      _boshctl_offer "$(_boshctl_sessions "${COMP_WORDS[0]}" "${socket[@]}")" "$current"
      ;;
    trace\ *) _boshctl_offer 'bodies sasl' "$current" ;;
    check*) _boshctl_offer '--config --url --websocket' "$current" ;;
    *) COMPREPLY=() ;;
  esac
}

complete -F _boshctl boshctl
