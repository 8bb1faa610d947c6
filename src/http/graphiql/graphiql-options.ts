/**
 * Runs in the browser before GraphiQL starts. Its requests carry the header by which the session of the admin page
 * counts, so that no token is in sight; a caller without a session writes an `Authorization` there instead. The header
 * editor and the tabs are kept in the session storage, which lasts as long as the browser's tab. GraphiQL's default is
 * the local storage, which outlasts it.
 */
export const optionsScript = `
function orreryOptions(options) {
  const saved = JSON.parse(sessionStorage.getItem('graphiql:tabState'));
  const headers = sessionStorage.getItem('graphiql:headers') || JSON.stringify({ 'X-Orrery-Client': 'web' }, null, 2);
  // GraphiQL finds the tab it was left in by what it starts with.
  const left = saved ? saved.tabs[saved.activeTabIndex] : null;
  return {
    ...options,
    defaultTabs: options.defaultTabs.map((tab) => ({ ...tab, headers })),
    headers,
    initialHeaders: left ? left.headers || '' : headers,
    ...(left ? { initialQuery: left.query || '', initialVariables: left.variables || '' } : {}),
    defaultEditorToolsVisibility: 'headers',
    storage: sessionStorage,
  };
}
`
