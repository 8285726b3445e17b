/**
 * Parom: send every answer of this Google Form to Parom.
 * 1. In the form: three dots > Apps Script, paste this file, set the two constants.
 * 2. Run installTrigger once and allow access. (A plain onFormSubmit without an
 *    installed trigger is not allowed to open URLs.)
 */
const PAROM_URL = 'https://parom.example/in/shop';
const PAROM_SECRET = 'CHANGE-ME';

function installTrigger() {
  const form = FormApp.getActiveForm();
  ScriptApp.getProjectTriggers()
    .filter(function (t) { return t.getHandlerFunction() === 'paromOnSubmit'; })
    .forEach(function (t) { ScriptApp.deleteTrigger(t); });
  ScriptApp.newTrigger('paromOnSubmit').forForm(form).onFormSubmit().create();
}

function paromOnSubmit(e) {
  const answers = {};
  e.response.getItemResponses().forEach(function (item) {
    const title = item.getItem().getTitle();
    const value = item.getResponse(); // a string, or an array for checkboxes and grids
    // Two questions with one title: keep both answers.
    answers[title] = Object.prototype.hasOwnProperty.call(answers, title)
      ? [].concat(answers[title], value) : value;
  });

  const data = {
    responseId: e.response.getId(), // the same on every retry: Parom drops repeats by it
    submittedAt: e.response.getTimestamp().toISOString(),
    formTitle: e.source.getTitle(),
    answers: answers
  };
  const email = e.response.getRespondentEmail(); // empty unless the form collects it
  if (email) data.respondentEmail = email;

  paromSend(JSON.stringify(data));
}

function paromSend(body) {
  const waits = [2, 8, 30, 60]; // seconds before each of the 4 retries
  let problem = '';
  for (let attempt = 0; attempt <= waits.length; attempt++) {
    if (attempt > 0) Utilities.sleep(waits[attempt - 1] * 1000);

    const time = String(Math.floor(Date.now() / 1000));
    let status = 0; // 0: no answer
    try {
      status = UrlFetchApp.fetch(PAROM_URL, {
        method: 'post',
        contentType: 'application/json',
        headers: {
          'X-Parom-Timestamp': time,
          'X-Parom-Signature': 'sha256=' + paromHmac(time + '.' + body)
        },
        payload: body,
        muteHttpExceptions: true
      }).getResponseCode();
      problem = 'HTTP ' + status;
    } catch (err) {
      problem = String(err);
    }
    if (status >= 200 && status < 300) return;
    if (status !== 0 && status !== 429 && status < 500) break; // will not get better
  }
  // Google mails the owner of the trigger about a failed run.
  throw new Error('Parom did not take the answer: ' + problem);
}

function paromHmac(text) {
  return Utilities.computeHmacSha256Signature(text, PAROM_SECRET, Utilities.Charset.UTF_8)
    .map(function (b) { return ('0' + (b & 0xff).toString(16)).slice(-2); }) // bytes are signed
    .join('');
}
