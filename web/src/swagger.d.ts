declare module "swagger-ui-dist/swagger-ui-es-bundle.js" {
  /** Draws a description of an API. validatorUrl null: nobody else is asked about it. */
  const SwaggerUI: (options: { dom_id: string; url: string; deepLinking: boolean; validatorUrl: null; defaultModelsExpandDepth: number }) => unknown;
  export default SwaggerUI;
}
