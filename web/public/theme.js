(function () {
  var choice = 'system';
  try {
    choice = localStorage.getItem('signalbox.theme') || 'system';
  } catch {
    // Storage may be switched off; the system's theme is fine.
  }
  var dark = choice === 'dark' || (choice !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
})();
