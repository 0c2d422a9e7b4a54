(function () {
  // Sends the form without leaving the page. Where that is not possible, the
  // browser sends it in the ordinary way.
  var form = document.getElementById(FORM);
  form.addEventListener("input", function () {
    Array.prototype.forEach.call(form.elements, function (control) { control.setCustomValidity(""); });
  });
  form.addEventListener("submit", function (event) {
    event.preventDefault();
    var button = form.querySelector("button[type=submit]");
    button.disabled = true;
    fetch(form.action, { method: "POST", body: new FormData(form), headers: { Accept: "application/json" } })
      .then(function (answer) { return answer.json(); })
      .then(function (result) {
        button.disabled = false;
        if (result.ok) {
          var thanks = document.createElement("p");
          thanks.tabIndex = -1;
          thanks.setAttribute("role", "status");
          thanks.textContent = THANKS + " " + result.id;
          form.replaceWith(thanks);
          thanks.focus();
          return;
        }
        (result.errors || []).forEach(function (problem) {
          var control = form.elements[problem.field] || form.elements[problem.field + "[]"];
          if (control && !control.setCustomValidity) { control = control[0]; } // a group of boxes
          if (control) { control.setCustomValidity(problem.message); }
        });
        if (form.reportValidity()) {
          alert(result.title + (result.detail ? "\n" + result.detail : ""));
        }
      })
      .catch(function () { HTMLFormElement.prototype.submit.call(form); });
  });
})();
