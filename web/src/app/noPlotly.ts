/** Stands for Plotly in a film saved as a file, which holds no figure that Plotly draws. */
const absent = (): never => {
  throw new Error("a film saved as a file comes without Plotly; open the film on a server to see this figure");
};
export default { react: absent, purge: absent };
