import { ownPath, seeOther } from '../flash.ts';
import { fieldsOf } from '../parts/action.ts';
import { keepTheme } from '../preferences.ts';
import type { Console } from '../view.ts';

/** Saves the chosen colours if no script does. */
export function themes(console: Console): void {
  console.post('/theme', async (c) => {
    const { theme, back = '' } = await fieldsOf(c);
    keepTheme(c, c.var.view.base, theme);
    return seeOther(c, ownPath(back));
  });
}
