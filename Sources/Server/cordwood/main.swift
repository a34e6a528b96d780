import Commands

await CordwoodMain.run()
