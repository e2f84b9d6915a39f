// Starts Swagger UI at /docs. Requests go to the page's own origin, also below a proxy's path.

// The theme that was chosen in the console, or else the system's. Swagger UI has its dark theme by a class.
const dark = matchMedia('(prefers-color-scheme: dark)');
function applyTheme() {
  const root = document.documentElement;
  let chosen = null;
  try {
    chosen = localStorage.getItem('latchkey:theme');
  } catch {
    // Storage is off: the system's theme applies.
  }
  if (chosen === 'light' || chosen === 'dark')
    root.dataset.theme = chosen;
  root.classList.toggle('dark-mode', chosen === 'dark' || (chosen !== 'light' && dark.matches));
}
applyTheme();
dark.addEventListener('change', applyTheme);

fetch('openapi.json').then(answer => answer.json()).then(spec => {
  spec.servers = [{url: new URL('.', location.href).href.replace(/\/$/, '')}];
  SwaggerUIBundle({
    spec, dom_id: '#docs', deepLinking: true, tryItOutEnabled: true, validatorUrl: null, docExpansion: 'list',
    presets: [SwaggerUIBundle.presets.apis]
  });
});
