// A picture of each screen, wide and narrow, in light and dark. Takes `origin`, `folder`, and `screens`: each a name, a path,
// what is unfolded first, and what is pressed.
import { drive, settings, watched } from "./browser.mjs";

await drive(async (browser) => {
  for (const colorScheme of ["light", "dark"]) {
    for (const width of [390, 1024, 1600]) {
      const { context } = await watched(browser, { colorScheme, viewport: { width, height: 800 } });
      const page = await context.newPage();
      for (const [name, path, unfold, press] of settings.screens) {
        await page.goto(settings.origin + path);
        if (unfold) await page.locator(unfold).first().evaluate((one) => { one.open = true; });
        if (press) {
          await page.locator(press).click();
          await page.locator("[role=status]").first().waitFor();
        }
        await page.screenshot({ path: `${settings.folder}/${name}-${colorScheme}-${width}.png`, fullPage: true });
      }
      await context.close();
    }
  }
});
