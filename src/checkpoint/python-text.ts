/**
 * What Python does with text, where templates of chat models count on it and JavaScript does otherwise.
 */

/** `str.isspace` */
const SPACE = String.raw`[\t-\r\u001C-\u0020\u0085\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]`;
const LEADING = new RegExp(`^${SPACE}+`, 'u');
const TRAILING = new RegExp(`${SPACE}+$`, 'u');

/** `str.lstrip`, of white space or of the given characters. */
export function lstrip(text: string, characters?: string): string {
  if (characters === undefined) return text.replace(LEADING, '');
  const all = Array.from(text);
  const from = all.findIndex((character) => !characters.includes(character));
  return from < 0 ? '' : all.slice(from).join('');
}

/** `str.rstrip`, likewise. */
export function rstrip(text: string, characters?: string): string {
  if (characters === undefined) return text.replace(TRAILING, '');
  const all = Array.from(text);
  const end = all.findLastIndex((character) => !characters.includes(character));
  return all.slice(0, end + 1).join('');
}

/** `str.strip`, likewise. */
export function strip(text: string, characters?: string): string {
  return rstrip(lstrip(text, characters), characters);
}

/** Words between white space, without empty ones: `str.split()`. */
export function splitWords(text: string): string[] {
  return strip(text)
    .split(new RegExp(`${SPACE}+`, 'u'))
    .filter((word) => word !== '');
}

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = [
  ...['January', 'February', 'March', 'April', 'May', 'June'],
  ...['July', 'August', 'September', 'October', 'November', 'December'],
];
const DAY_MS = 86_400_000;

/** `datetime.strftime` in the C locale. Throws Error on a directive that is not known. */
export function strftime(date: Date, format: string): string {
  const two = (n: number): string => String(n).padStart(2, '0');
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()];
  const hour = date.getUTCHours();
  const minutes = two(date.getUTCMinutes());
  const seconds = two(date.getUTCSeconds());
  const dayOfYear = Math.floor((date.getTime() - Date.UTC(year, 0, 1)) / DAY_MS) + 1;
  const shortYear = two(year % 100);
  const directives: Readonly<Record<string, string>> = {
    ...{ Y: String(year), y: shortYear, m: two(month + 1), d: two(day), e: String(day).padStart(2) },
    ...{ B: MONTHS[month]!, b: MONTHS[month]!.slice(0, 3), h: MONTHS[month]!.slice(0, 3) },
    ...{ A: DAYS[date.getUTCDay()]!, a: DAYS[date.getUTCDay()]!.slice(0, 3) },
    ...{
      w: String(date.getUTCDay()),
      u: String(date.getUTCDay() || 7),
      j: String(dayOfYear).padStart(3, '0'),
    },
    ...{ H: two(hour), I: two(hour % 12 || 12), p: hour < 12 ? 'AM' : 'PM', M: minutes, S: seconds },
    ...{ f: '000000', Z: '', z: '', n: '\n', t: '\t', '%': '%' },
    ...{ F: `${year}-${two(month + 1)}-${two(day)}`, T: `${two(hour)}:${minutes}:${seconds}` },
    ...{ R: `${two(hour)}:${minutes}`, D: `${two(month + 1)}/${two(day)}/${shortYear}` },
    ...{ x: `${two(month + 1)}/${two(day)}/${shortYear}`, X: `${two(hour)}:${minutes}:${seconds}` },
    c: `${DAYS[date.getUTCDay()]!.slice(0, 3)} ${MONTHS[month]!.slice(0, 3)} ${String(day).padStart(2)} ${two(hour)}:${minutes}:${seconds} ${year}`,
  };
  return format.replace(/%(-?)(.?)/gsu, (whole, plain: string, directive: string) => {
    const value = directives[directive];
    if (value === undefined) throw new Error(`strftime_now: "${whole}" is not known`);
    return plain === '' ? value : value.replace(/^[0 ]+(?=.)/, '');
  });
}
