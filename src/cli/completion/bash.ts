/** Completion for bash: one function that looks at the command, the option before the cursor, and the place of the word. */
import type { CommandWords, OptionWords, Values } from './words.js';

/** The script. It needs bash 4 and no other package. */
export function bashCompletion(commands: readonly CommandWords[]): string {
  return [
    '# Completion of spark-eval for bash: source this file, or put it where bash looks for completions.',
    '_spark_eval() {',
    '  local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}',
    '  local command="" place=-1 word index takes=""',
    '  COMPREPLY=()',
    '  for ((index = 1; index < COMP_CWORD; index++)); do',
    '    word=${COMP_WORDS[index]}',
    '    if [[ -z $command ]]; then [[ $word == -* ]] || { command=$word; place=0; }; continue; fi',
    '    if [[ -n $takes ]]; then takes=""; continue; fi',
    '    case "$command $word" in',
    ...commands.flatMap(({ name, options }) => {
      const flags = options.filter(({ values }) => values !== undefined).flatMap((option) => option.flags);
      return flags.length === 0
        ? []
        : [`      ${flags.map((flag) => quote(`${name} ${flag}`)).join('|')}) takes=yes ;;`];
    }),
    '      *" "-*) ;;',
    '      *) ((place++)) ;;',
    '    esac',
    '  done',
    '  if [[ -z $command ]]; then',
    `    COMPREPLY=($(compgen -W ${quote([...commands.map(({ name }) => name), '--help', '--version'].join(' '))} -- "$current"))`,
    '    return',
    '  fi',
    '  case "$command $before" in',
    ...commands.flatMap(({ name, options }) => options.flatMap((option) => valuesOf(name, option))),
    '  esac',
    '  if [[ $current == -* ]]; then',
    '    case $command in',
    ...commands.map(
      ({ name, options }) =>
        `      ${name}) COMPREPLY=($(compgen -W ${quote([...options.flatMap(({ flags }) => flags), '--help'].join(' '))} -- "$current")) ;;`,
    ),
    '    esac',
    '    return',
    '  fi',
    '  case "$command $place" in',
    ...commands.flatMap(({ name, arguments: places }) =>
      places.map(
        ({ values, repeats }, place) =>
          `    ${quote(`${name} `)}${repeats ? '*' : place}) ${reply(values)} ;;`,
      ),
    ),
    '  esac',
    '}',
    'complete -F _spark_eval spark-eval',
  ].join('\n');
}

function valuesOf(command: string, { flags, values }: OptionWords): string[] {
  if (values === undefined) return [];
  return [`    ${flags.map((flag) => quote(`${command} ${flag}`)).join('|')}) ${reply(values)}; return ;;`];
}

function reply(values: Values): string {
  if (values === 'anything') return ':';
  if (values === 'file') return 'compopt -o filenames 2> /dev/null; COMPREPLY=($(compgen -f -- "$current"))';
  if (values === 'folder')
    return 'compopt -o filenames 2> /dev/null; COMPREPLY=($(compgen -d -- "$current"))';
  return `COMPREPLY=($(compgen -W ${quote(values.words.join(' '))} -- "$current"))`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
