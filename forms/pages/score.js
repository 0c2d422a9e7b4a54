(function () {
  // Before a form is sent, asks reCAPTCHA v3 for its opinion of the visitor.
  // Where it cannot be asked, the form is sent without.
  var answers = document.querySelectorAll("input[name=g-recaptcha-response][data-sitekey]:not([data-bound])");
  Array.prototype.forEach.call(answers, function (answer) {
    var form = answer.form, asked = false;
    answer.setAttribute("data-bound", "");
    form.addEventListener("submit", function (event) {
      if (asked || !window.grecaptcha || !form.requestSubmit) { asked = false; return; }
      event.preventDefault();
      event.stopImmediatePropagation();
      function send(token) {
        answer.value = token || "";
        asked = true;
        form.requestSubmit();
      }
      window.grecaptcha.ready(function () {
        window.grecaptcha.execute(answer.getAttribute("data-sitekey"), { action: "form" }).then(send, function () { send(""); });
      });
    }, true);
  });
})();
