// Applies the chosen theme before anything is shown: the page loads it before the console.
try {
    const chosen = localStorage.getItem('latchkey:theme');
    if (chosen === 'light' || chosen === 'dark')
        document.documentElement.dataset.theme = chosen;
} catch {
    // Storage is off: the system's theme applies.
}
