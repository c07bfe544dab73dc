import { QUESTIONS } from './study.ts';
import type { Study } from './study.ts';

/** JSON inside a script element: nothing in a text may end it. */
const embedded = (value: unknown): string =>
  JSON.stringify(value).replaceAll('<', '\\u003c').replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');

/**
 * The raters' page: one HTML file that needs no server and loads nothing but the pictures beside it. It does not know
 * which method made which picture. Answers stay in the browser and leave it as a file.
 */
export function studyPage(study: Study): string {
  const shown = {
    id: study.id,
    questions: QUESTIONS,
    pairs: study.pairs.map(({ repeats: _, scene: __, ...pair }) => pair),
  };
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src 'self' file: data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>Comparing pictures</title>
<style>
:root { color-scheme: light dark; --ground: light-dark(#f4f4f2, #17181a); --card: light-dark(#fff, #212327); --ink: light-dark(#1b1c1e, #ececea); --soft: light-dark(#5f6368, #9aa0a6); --line: light-dark(#d8d9d6, #34373c); --mark: light-dark(#2457c5, #8ab4f8); }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; grid-template-rows: auto 1fr; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
header { min-height: 49px; display: flex; gap: 16px; align-items: center; padding: 12px 24px; border-bottom: 1px solid var(--line); }
header progress { flex: 1; height: 6px; accent-color: var(--mark); }
header span { color: var(--soft); font-variant-numeric: tabular-nums; }
section { display: grid; gap: 20px; }
main { padding: 24px; max-width: 1200px; width: 100%; margin: 0 auto; display: grid; align-content: center; gap: 20px; }
h1 { font-size: 22px; font-weight: 600; margin: 0; text-align: center; }
.text { text-align: center; font-size: 18px; max-width: 42em; justify-self: center; min-height: 1.5em; color: var(--soft); margin: 0; }
.pair { --side: min(42vw, 100vh - 340px); display: grid; grid-template-columns: repeat(2, var(--side)); gap: 20px; justify-content: center; align-items: center; }
.pair.layout { --side: min(31vw, 100vh - 340px); grid-template-columns: var(--side) calc(var(--side) * .8) var(--side); }
button { font: inherit; color: inherit; background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 12px 20px; cursor: pointer; }
button:hover, button:focus-visible { border-color: var(--mark); outline: 2px solid var(--mark); outline-offset: 1px; }
.pair button { padding: 10px; display: grid; gap: 8px; }
img { width: 100%; aspect-ratio: 1; object-fit: contain; border-radius: 6px; image-rendering: auto; display: block; }
kbd { font: 13px ui-monospace, monospace; border: 1px solid var(--line); border-radius: 4px; padding: 0 6px; color: var(--soft); }
.row { display: flex; gap: 12px; justify-content: center; flex-wrap: wrap; }
input { font: inherit; padding: 10px 14px; border: 1px solid var(--line); border-radius: 8px; background: var(--card); color: inherit; width: 16em; }
[hidden] { display: none !important; }
</style>
<header><progress id="bar" max="1" value="0" aria-label="Progress"></progress><span id="count"></span></header>
<main>
<section id="start">
<h1>Comparing pictures</h1>
<p class="text">You will see two pictures at a time and one question. Choose the one that answers it better. There is no right or wrong; if you see no difference, say so. You can stop at any time and go on later on this computer.</p>
<form class="row" id="form"><input id="rater" required maxlength="60" autocomplete="off" placeholder="Your name or initials" aria-label="Your name or initials"><button>Begin</button></form>
</section>
<section id="ask" hidden>
<h1 id="question"></h1>
<p class="text" id="text"></p>
<div class="pair" id="pair">
<button id="left"><img id="leftImage" alt="Left picture"><span><kbd>←</kbd> left</span></button>
<img id="layout" alt="The drawn places" hidden>
<button id="right"><img id="rightImage" alt="Right picture"><span>right <kbd>→</kbd></span></button>
</div>
<div class="row"><button id="tie">No difference <kbd>↓</kbd></button><button id="back">Back <kbd>⌫</kbd></button></div>
</section>
<section id="end" hidden>
<h1>Thank you</h1>
<p class="text">Save your answers and send the file to whoever asked you. Nothing was sent anywhere.</p>
<div class="row"><button id="save">Save answers</button></div>
</section>
</main>
<script type="application/json" id="study">${embedded(shown)}</script>
<script>
'use strict';
const study = JSON.parse(document.getElementById('study').textContent);
const $ = (id) => document.getElementById(id);
let rater = '', answers = [], shownAt = 0;
const key = () => 'spatext-study:' + study.id + ':' + rater;
const show = (id) => { for (const s of ['start', 'ask', 'end']) $(s).hidden = s !== id; };
function next() {
  $('bar').value = answers.length / study.pairs.length;
  $('count').textContent = answers.length + ' of ' + study.pairs.length;
  $('back').disabled = answers.length === 0;
  const pair = study.pairs[answers.length];
  if (!pair) { show('end'); $('save').focus(); return; }
  $('question').textContent = study.questions.find((q) => q.id === pair.question).text;
  $('text').textContent = pair.question === 'text' ? '“' + pair.text + '”' : '';
  $('leftImage').src = pair.left;
  $('rightImage').src = pair.right;
  $('layout').hidden = !pair.layout;
  if (pair.layout) $('layout').src = pair.layout;
  $('pair').classList.toggle('layout', Boolean(pair.layout));
  show('ask');
  shownAt = performance.now();
  for (const ahead of study.pairs.slice(answers.length + 1, answers.length + 3)) for (const file of [ahead.left, ahead.right]) new Image().src = file;
}
function keep() { try { localStorage.setItem(key(), JSON.stringify(answers)); } catch { /* private windows keep nothing */ } }
function choose(choice) {
  if ($('ask').hidden) return;
  answers.push({ pair: study.pairs[answers.length].id, choice, took: Math.round(performance.now() - shownAt) });
  keep(); next();
}
function back() { if (answers.length > 0) { answers.pop(); keep(); next(); } }
$('form').addEventListener('submit', (event) => {
  event.preventDefault();
  rater = $('rater').value.trim();
  try { answers = JSON.parse(localStorage.getItem(key()) ?? '[]'); } catch { answers = []; }
  next();
});
$('left').addEventListener('click', () => choose('left'));
$('right').addEventListener('click', () => choose('right'));
$('tie').addEventListener('click', () => choose('tie'));
$('back').addEventListener('click', back);
addEventListener('keydown', (event) => {
  if ($('ask').hidden || event.repeat) return;
  const act = { ArrowLeft: () => choose('left'), ArrowRight: () => choose('right'), ArrowDown: () => choose('tie'), Backspace: back }[event.key];
  if (act) { event.preventDefault(); act(); }
});
$('save').addEventListener('click', () => {
  const sheet = { format: 'spatext-study-answers', version: 1, study: study.id, rater, answers };
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([JSON.stringify(sheet, null, 1)], { type: 'application/json' }));
  link.download = 'answers-' + rater.replace(/[^\\p{L}\\p{N}]+/gu, '-') + '.json';
  link.click();
});
show('start');
$('rater').focus();
</script>
</html>
`;
}
