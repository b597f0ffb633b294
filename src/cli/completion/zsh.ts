/** Completion for zsh: what `_arguments` and `_describe` of its completion system need, with the help of each option. */
import type { CommandWords, OptionWords, Values } from './words.js';

/** The script, for a file `_spark-eval` in a folder of `$fpath`. */
export function zshCompletion(commands: readonly CommandWords[]): string {
  return [
    '#compdef spark-eval',
    '# Completion of spark-eval for zsh: put this file as _spark-eval into a folder of $fpath.',
    '_spark_eval() {',
    '  local -a commands=(',
    ...commands.map(({ name, help }) => `    ${quote(`${name}:${help}`)}`),
    '  )',
    '  if (( CURRENT == 2 )); then',
    "    _describe -t commands 'command' commands",
    '    return',
    '  fi',
    '  local command=$words[2]',
    '  shift words',
    '  (( CURRENT-- ))',
    '  case $command in',
    ...commands.flatMap(({ name, options, arguments: places }) => [
      `    ${name})`,
      '      _arguments \\',
      ...options.map((option) => `        ${optionSpec(option)} \\`),
      ...places.map(
        ({ name: title, values, repeats }, place) =>
          `        ${quote(`${repeats ? '*' : place + 1}:${plain(title)}:${action(values)}`)} \\`,
      ),
      "        '--help[show help]'",
      '      ;;',
    ]),
    '  esac',
    '}',
    'if [[ $funcstack[1] == _spark-eval ]]; then _spark_eval "$@"; else compdef _spark_eval spark-eval; fi',
  ].join('\n');
}

function optionSpec({ flags, help, values, repeats }: OptionWords): string {
  const value = values === undefined ? '' : `:value:${action(values)}`;
  return flags.map((flag) => quote(`${repeats ? '*' : ''}${flag}[${plain(help)}]${value}`)).join(' ');
}

function action(values: Values): string {
  if (values === 'anything') return ' ';
  if (values === 'file') return '_files';
  return values === 'folder' ? '_files -/' : `(${values.words.join(' ')})`;
}

/** Without what ends a description. */
function plain(text: string): string {
  return text.replaceAll(/[[\]\\]/g, '').replaceAll(':', '\\:');
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
