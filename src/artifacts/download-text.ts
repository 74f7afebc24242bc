/** How every line about a download begins. */
export const downloadText = 'Downloading artifacts from coordinator...';
