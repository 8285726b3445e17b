// Sends the form again by itself. Without this file the button does the same.
"use strict";
(function () {
  var form = document.getElementById("again");
  var seconds = document.getElementById("seconds");
  var first = Number(seconds.textContent);
  var left = first;
  document.getElementById("wait").hidden = false;
  setInterval(function () {
    left -= 1;
    seconds.textContent = String(left);
    if (left <= 0) {
      // The gateway's patience is over by then, should this try find nothing either.
      left = 3 * first;
      // A field of the form may be called "submit".
      HTMLFormElement.prototype.submit.call(form);
    }
  }, 1000);
})();
