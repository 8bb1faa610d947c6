/**
 * Runs in the browser before GraphiQL starts. A sign-in link is `/graphql#token=…`: browsers never send a fragment to a
 * server. The token goes into the header editor and out of the address bar; it is kept, with the tabs, in the session
 * storage, for as long as the browser's tab lives. GraphiQL's own way is the local storage, which stays.
 */
export const signInScript = `
function orreryOptions(options) {
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  const saved = JSON.parse(sessionStorage.getItem('graphiql:tabState'));
  let headers = sessionStorage.getItem('graphiql:headers') || JSON.stringify({ Authorization: 'Bearer ' }, null, 2);
  if (token) {
    history.replaceState(null, '', location.pathname + location.search);
    headers = JSON.stringify({ Authorization: 'Bearer ' + token }, null, 2);
    sessionStorage.setItem('graphiql:headers', headers);
    if (saved) {
      for (const tab of saved.tabs) tab.headers = headers;
      sessionStorage.setItem('graphiql:tabState', JSON.stringify(saved));
    }
  }
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
addEventListener('hashchange', () => {
  if (location.hash.startsWith('#token=')) location.reload();
});
`
