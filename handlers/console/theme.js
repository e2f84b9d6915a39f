// Applies the chosen theme before the first paint. A classic script: modules run after it.
(() => {
    try {
        const chosen = localStorage.getItem('latchkey:theme');
        if (chosen === 'light' || chosen === 'dark')
            document.documentElement.dataset.theme = chosen;
    } catch {
        // Storage is off: the system's theme applies.
    }
})();
