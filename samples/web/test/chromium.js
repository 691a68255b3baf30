// The executable of a Chromium: what the variable CHROMIUM names, or where systems put it; undefined if there is none.
import { existsSync } from 'node:fs';

const places = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:/Program Files/Google/Chrome/Application/chrome.exe',
];

export const findChromium = () => [process.env.CHROMIUM, ...places].find(path => path && existsSync(path));
