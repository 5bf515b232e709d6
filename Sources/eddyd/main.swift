print("eddyd")
