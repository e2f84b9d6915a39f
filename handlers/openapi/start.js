// Starts Swagger UI at /docs. Requests go to the page's own origin, also below a proxy's path.
fetch('openapi.json').then(answer => answer.json()).then(spec => {
  spec.servers = [{url: new URL('.', location.href).href.replace(/\/$/, '')}];
  SwaggerUIBundle({
    spec, dom_id: '#docs', deepLinking: true, tryItOutEnabled: true, validatorUrl: null, docExpansion: 'list',
    presets: [SwaggerUIBundle.presets.apis]
  });
});
