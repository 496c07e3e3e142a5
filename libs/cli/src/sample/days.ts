/** Every day of ten years, computed: the sample's large file, big enough that its writing can be watched. */
export function daysJson(firstYear: number, years: number): string {
  const days: string[] = [];
  const end = Date.UTC(firstYear + years, 0, 1);
  for (let at = Date.UTC(firstYear, 0, 1); at < end; at += DAY_MS) {
    const date = new Date(at).toISOString().slice(0, 10);
    const day = { date, weekday: weekday(at), week: isoWeek(at), day_of_year: dayOfYear(at) };
    days.push(`    ${JSON.stringify(day)}`);
  }
  return `{\n  "from": ${firstYear},\n  "days": [\n${days.join(',\n')}\n  ]\n}\n`;
}

const DAY_MS = 86_400_000;

/** 1 is Monday, 7 is Sunday. */
const weekday = (at: number): number => ((new Date(at).getUTCDay() + 6) % 7) + 1;

const dayOfYear = (at: number): number => 1 + Math.floor((at - Date.UTC(new Date(at).getUTCFullYear(), 0, 1)) / DAY_MS);

/** A week belongs to the year that its Thursday lies in. */
function isoWeek(at: number): number {
  const thursday = at + (4 - weekday(at)) * DAY_MS;
  return Math.ceil(dayOfYear(thursday) / 7);
}
