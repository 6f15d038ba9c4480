"use strict";
// Locust's tabs are made by its own script, and made again when its page changes: the one that leads to the
// scenario is put beside them whenever it is missing. Before a run there are none: then it stands above the form.

function addTab() {
  const tabs = document.querySelector("[role=tablist]"), form = document.querySelector("form");
  const place = tabs ?? form;
  const there = document.getElementById("genload-tab");
  if (!place || there?.parentElement === place) return;
  there?.remove();
  const link = document.createElement("a");
  link.id = "genload-tab";
  link.href = "./scenario";
  link.textContent = tabs ? "Scenario" : "The page of genload's scenarios: a shorter form, criteria and charts";
  link.className = tabs?.querySelector("[role=tab]:not([aria-selected=true])")?.className ?? "";
  if (tabs) tabs.append(link); else form.prepend(link);
}

new MutationObserver(addTab).observe(document.body, { childList: true, subtree: true });
addTab();
