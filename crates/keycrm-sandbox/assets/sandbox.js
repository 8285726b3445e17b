"use strict";
// Keeps the list of orders fresh; without it the page reloads itself.
(function () {
  var live = document.getElementById("live");
  var last = live ? live.innerHTML : "";
  function again() {
    window.setTimeout(poll, 1500);
  }
  function poll() {
    if (document.hidden) {
      again();
      return;
    }
    fetch("/fragments/orders", { cache: "no-store" })
      .then(function (answer) {
        return answer.ok ? answer.text() : last;
      })
      .then(function (text) {
        if (text !== last) {
          live.innerHTML = text;
          last = text;
        }
      })
      .catch(function () {})
      .then(again);
  }
  if (live && window.fetch) {
    again();
  }
})();
