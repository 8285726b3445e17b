// Sends the form again by itself. Without this file the button does the same.
"use strict";
(function () {
  var form = document.getElementById("again");
  var seconds = document.getElementById("seconds");
  var left = Number(form.dataset.seconds);
  document.getElementById("wait").hidden = false;
  setInterval(function () {
    left -= 1;
    seconds.textContent = String(Math.max(left, 0));
    if (left === 0) {
      form.submit();
    }
  }, 1000);
})();
